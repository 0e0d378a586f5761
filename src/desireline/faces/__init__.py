"""The command line, the web pages: thin faces over the project."""
