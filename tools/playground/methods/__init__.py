"""The Web API methods, one module a family. Importing a module registers its methods."""
