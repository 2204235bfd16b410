"""The schema's history, forward only: a version adds tables, columns that may be empty or have a default, and indexes.

It never drops, renames or tightens, so that older code goes on working beside newer. To add one: a file
`versions/NNNN_what_it_adds.py`, its `down_revision` the one before, the change in `bot.store.tables`, and
`bot.store.schema.HEAD`. A version names its columns itself and never imports the tables, which move on.
"""
