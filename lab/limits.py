"""What a project may have in a region whose Nova and Glance take their limits from Keystone.

The values are those that Nova has without unified limits, and generous ones where it has none. Nova
counts everything that a flavor asks of Placement; what has no registered limit is unlimited, but for
`servers`, which must have one. Sizes of images are MiB.
"""

COMPUTE = {
    "servers": 10,
    "class:VCPU": 20,
    "class:MEMORY_MB": 51200,
    "class:DISK_GB": 4000,
    "server_key_pairs": 100,
    "server_groups": 10,
    "server_group_members": 10,
    "server_metadata_items": 128,
    "server_injected_files": 5,
    "server_injected_file_content_bytes": 10240,
    "server_injected_file_path_bytes": 255,
}
IMAGE = {
    "image_size_total": 10000,
    "image_stage_total": 10000,
    "image_count_total": 100,
    "image_count_uploading": 50,
}
REGISTERED = {"compute": COMPUTE, "image": IMAGE}
