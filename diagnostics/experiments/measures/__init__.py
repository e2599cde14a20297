"""What experiments compute of data and predictions."""
