"""One module a sub-command: `add_parser(subparsers)` and `async run(arguments) -> int`."""
