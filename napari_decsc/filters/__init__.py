"""Array mathematics that knows no cube and no model."""
