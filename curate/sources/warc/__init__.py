"""Documents in web archives: WARC files of crawls, and WET files of their texts."""
