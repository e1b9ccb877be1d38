"""People's labels: packages of tasks, a local web app to answer them, and what the answers say (docs/annotation.md)."""
