"""One file per view; a view draws what store, cursor and episode hold."""
