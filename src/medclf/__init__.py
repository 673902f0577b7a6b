"""medclf: medical image classification with convolutional networks."""
