"""Language models that vote: how they are asked, how calls are kept in bounds, what they answer."""
