"""How the members of an ensemble are trained: in this process and in other processes."""
