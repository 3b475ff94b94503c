"""The hub: who watches what, and what each is to be sent next. It knows no transport."""
