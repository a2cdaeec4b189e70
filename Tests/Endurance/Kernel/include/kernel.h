// Nothing is called by name from outside: kernel.c takes the place of functions of CSystem by the linker's --wrap.
