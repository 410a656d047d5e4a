"""One door for each third-party library; heavy ones load on first use."""
