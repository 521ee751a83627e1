"""Where samples come from: lists of URLs, and folders of pictures and sounds."""
