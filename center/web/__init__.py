"""What every request meets before and after its route: limits, headers, errors said properly."""
