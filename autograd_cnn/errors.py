"""The errors a user can meet.  Each also derives from the built-in error that PyTorch raises in its place."""


class AutogradCnnError(Exception):
    """Base of every error that this package raises on purpose."""


class ShapeError(AutogradCnnError, RuntimeError, ValueError):
    """Shapes, sizes or dimensions do not fit together."""


class DTypeError(AutogradCnnError, RuntimeError, TypeError):
    """A dtype is not one the operation takes."""


class DeviceError(AutogradCnnError, RuntimeError):
    """Tensors lie on different devices, or a device is not there."""


class NoCudaError(DeviceError, AssertionError):
    """CUDA was asked for, and there is none."""


class ArgumentError(AutogradCnnError, RuntimeError, ValueError):
    """An argument's value is not one the operation takes."""


class IndexOutOfRangeError(AutogradCnnError, RuntimeError, IndexError):
    """An index, label or embedding id lies outside its range."""


class GraphError(AutogradCnnError, RuntimeError):
    """The graph cannot do what was asked of it."""


class GraphFreedError(GraphError):
    """A second backward pass met a node whose saved tensors were freed by the first."""


class InPlaceError(GraphError):
    """A tensor was changed in place where the graph cannot follow, or after it was saved for backward."""


class AnomalyError(GraphError):
    """Anomaly mode met a NaN or an inf in a gradient."""


class GradcheckError(AutogradCnnError, RuntimeError):
    """A gradient differs from the one that finite differences give."""


class RegistrationError(AutogradCnnError, KeyError, ValueError):
    """A module cannot have a parameter, buffer or child of that name."""

    __str__ = Exception.__str__  # KeyError's shows the repr of the message


class StateDictError(AutogradCnnError, RuntimeError):
    """A state dict does not fit the module or optimizer it is loaded into."""


class CheckpointError(AutogradCnnError, RuntimeError):
    """A checkpoint is missing, torn, changed or not one of ours."""


class DataError(AutogradCnnError, RuntimeError):
    """A data set is missing, torn or not what it should be."""


class WorkerError(AutogradCnnError, RuntimeError):
    """A worker process of a loader was lost, or raised what cannot be raised again here."""


class MissingDependencyError(AutogradCnnError, ImportError):
    """An optional library is not installed; the message says which extra brings it."""
