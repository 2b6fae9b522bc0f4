"""The pages where people answer and watch, and the REST API beneath them."""
