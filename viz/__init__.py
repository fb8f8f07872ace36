"""viz: pictures of backpropagation."""
