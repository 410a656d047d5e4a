"""What an Android app needs around its model: wrapper classes, build scripts, and the limits of the store."""
