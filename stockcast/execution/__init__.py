"""How tasks, and the members of an ensemble, are done: in this process, in other ones, and on other machines."""
