"""What ends a command: one clear line for the person at the terminal."""


class CommandFailed(Exception):
    """The command cannot do what was asked; the message is the line to print."""
