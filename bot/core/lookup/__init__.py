"""From a typed name or a pasted URL to a project, a branch, a build."""
