"""What every panel is made of: docks, forms, plots, themes, work beside the window."""
