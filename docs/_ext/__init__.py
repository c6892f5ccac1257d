"""What makes the site's pages out of the repository; one idea a file."""
