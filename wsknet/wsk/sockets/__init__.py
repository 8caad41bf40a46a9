"""The socket objects behind WSK_SOCKET, one module for each category."""
