"""Installation from the stick: which disks there are, which one is meant, and the copying."""
