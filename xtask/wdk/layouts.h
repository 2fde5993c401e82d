/*
 * Sizes and offsets of the kernel structures on x64, as Windows has them. mingw-w64's headers were
 * written from documentation: a structure that the driver uses is held to these numbers, so that a
 * header with another layout stops the build. Add a structure before using it.
 */
#pragma once

#define CARILLON_SIZE(type, bytes) \
    _Static_assert(sizeof(type) == (bytes), "size of " #type)
#define CARILLON_OFFSET(type, field, offset) \
    _Static_assert(__builtin_offsetof(type, field) == (offset), "offset of " #type "." #field)

CARILLON_SIZE(UNICODE_STRING, 0x10);
CARILLON_SIZE(OBJECT_ATTRIBUTES, 0x30);
CARILLON_SIZE(IO_STATUS_BLOCK, 0x10);
CARILLON_SIZE(KEY_VALUE_PARTIAL_INFORMATION, 0x10);

CARILLON_SIZE(KSPIN_LOCK, 0x8);
CARILLON_SIZE(KLOCK_QUEUE_HANDLE, 0x18);
CARILLON_SIZE(KEVENT, 0x18);
CARILLON_SIZE(KSEMAPHORE, 0x20);
CARILLON_SIZE(KMUTANT, 0x38);
CARILLON_SIZE(FAST_MUTEX, 0x38);
CARILLON_SIZE(KGUARDED_MUTEX, 0x38);
CARILLON_SIZE(KDPC, 0x40);
CARILLON_SIZE(KTIMER, 0x40);
CARILLON_SIZE(EX_RUNDOWN_REF, 0x8);

CARILLON_SIZE(MDL, 0x30);
CARILLON_SIZE(IRP, 0xd0);
CARILLON_OFFSET(IRP, IoStatus, 0x30);
CARILLON_OFFSET(IRP, UserBuffer, 0x70);
CARILLON_OFFSET(IRP, Tail, 0x78);
CARILLON_SIZE(IO_STACK_LOCATION, 0x48);
CARILLON_OFFSET(IO_STACK_LOCATION, Parameters, 0x8);
CARILLON_OFFSET(IO_STACK_LOCATION, DeviceObject, 0x28);
CARILLON_OFFSET(IO_STACK_LOCATION, CompletionRoutine, 0x38);
CARILLON_SIZE(DRIVER_OBJECT, 0x150);
CARILLON_OFFSET(DRIVER_OBJECT, DriverExtension, 0x30);
CARILLON_OFFSET(DRIVER_OBJECT, DriverUnload, 0x68);
CARILLON_OFFSET(DRIVER_OBJECT, MajorFunction, 0x70);
/* No size: mingw-w64 leaves out the alignment at the end, and no driver makes one by hand. */
CARILLON_OFFSET(DEVICE_OBJECT, DeviceExtension, 0x40);
CARILLON_OFFSET(DEVICE_OBJECT, StackSize, 0x4c);

CARILLON_SIZE(EVENT_DESCRIPTOR, 0x10);
CARILLON_SIZE(EVENT_DATA_DESCRIPTOR, 0x10);

#undef CARILLON_SIZE
#undef CARILLON_OFFSET
