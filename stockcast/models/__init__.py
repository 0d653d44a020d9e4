"""The networks: recurrent cells, output heads, the factory that stacks them, training and fast inference."""
