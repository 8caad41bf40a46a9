"""The SAN service provider: the functions of ws2spi.h and ws2san.h over the TCP of the emulated host."""
