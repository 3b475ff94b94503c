"""What people can do here, one file each."""
