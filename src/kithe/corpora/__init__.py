"""Where training and test conversations come from, and how a training corpus is made of them."""
