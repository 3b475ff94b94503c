"""What every part of the house may know: money, ids and errors, in pure standard library."""
