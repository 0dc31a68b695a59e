"""Drivers that let OpenStack services run where there is no hardware to drive."""
