"""Values -> one HTML file that needs nothing else: no address is contacted, and text from files stays text."""
