"""The rules of accounts and sign-ins, without any input or output."""
