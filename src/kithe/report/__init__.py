"""Tables and dashboards, each made again at any time from the files of the runs."""
