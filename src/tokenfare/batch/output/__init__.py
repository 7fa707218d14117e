"""What a plan leaves behind: its folder, its table, or nothing."""
