"""The schema's versions, forward only. A version adds tables, indexes, and columns that are nullable or have a default.

No version drops, renames or tightens anything, so that older code keeps working next to newer code. To add a version:
create `versions/NNNN_what_it_adds.py` with its `down_revision`, change `bot.store.tables`, and set
`bot.store.schema.HEAD`. A version names its columns itself and never imports the tables, which change later.
"""
