"""What is wrong, or probably not meant, in recipes. Each rule is one function in a module of this package."""
