"""What stages found out before, by the content it was found from: kept between builds, bounded, checked when read."""
