"""A binary heap in an array: rows of a key and a value, the least key first."""

from fecnn.jit import kernel


@kernel(borrows=True)
def push(heap, size, key, value):
    """Add to a binary heap of ``size`` rows; its new size."""
    i = size
    while i > 0 and heap[(i - 1) >> 1, 0] > key:
        heap[i, 0], heap[i, 1] = heap[(i - 1) >> 1, 0], heap[(i - 1) >> 1, 1]
        i = (i - 1) >> 1
    heap[i, 0], heap[i, 1] = key, value
    return size + 1


@kernel(borrows=True)
def pop(heap, size):
    """Take the least off the heap; its new size."""
    size -= 1
    key, value = heap[size, 0], heap[size, 1]
    i = 0
    while 2 * i + 1 < size:
        child = 2 * i + 1
        if child + 1 < size and heap[child + 1, 0] < heap[child, 0]:
            child += 1
        if heap[child, 0] >= key:
            break
        heap[i, 0], heap[i, 1] = heap[child, 0], heap[child, 1]
        i = child
    heap[i, 0], heap[i, 1] = key, value
    return size
