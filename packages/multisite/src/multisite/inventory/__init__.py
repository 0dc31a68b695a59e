"""What is in all regions: servers, volumes, images, networks and their like (requirement C2)."""
