"""People, their sign-ins, and the tokens that every other service trusts."""
