"""Control operations: what WskControlSocket and WskControlClient take (WSK-5).

`sockets` and `client` are the two functions.  An option is a row of a table (`option.Option`), an IOCTL another
(`ioctl.Ioctl`); `options` and `ioctls` put the tables together, which stand in one module for each subject.
"""
