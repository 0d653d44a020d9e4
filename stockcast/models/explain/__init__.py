"""What explains a forecast: attribution to inputs, activations of hidden units, gradients through time."""
