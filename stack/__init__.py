"""The whole mesh on one machine: starts the servers and the services, and looks after them."""
