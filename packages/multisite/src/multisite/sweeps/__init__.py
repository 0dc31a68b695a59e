"""The periodic read of all regions: when (`scheduler`), what (`sweeper`), by which process (`sharing`)."""
