"""What a network looks at: class activation maps, occlusion, feature maps, filters, receptive
fields, the nearest pictures and the worst mistakes.

    found = convatlas.explain("runs/mine", "photo.jpg")[0]     # found.heat, found.overlay()
    maps = explanation.grad_cam(net, x, target=281)            # of any module and prepared images
    drop = explanation.occlusion(net, x, window=32)

What belongs here: functions of a module and a batch that give arrays, and the pictures and pages
that show them. What a network answers belongs to prediction, how good it is to evaluation.
"""

from convatlas.anatomy.unit_fields import Rectangle, UnitFields, unit_fields
from convatlas.explanation.activation_maps import ClassMaps, cam, grad_cam, grad_cam_pp
from convatlas.explanation.explaining import METHODS, Explanation, explain
from convatlas.explanation.inside import embedding, feature_maps, filters
from convatlas.explanation.mistakes import Mistake, Mistakes, worst_mistakes
from convatlas.explanation.neighbours import Neighbours, nearest
from convatlas.explanation.occluding import occlusion

__all__ = [
    "METHODS",
    "ClassMaps",
    "Explanation",
    "Mistake",
    "Mistakes",
    "Neighbours",
    "Rectangle",
    "UnitFields",
    "cam",
    "embedding",
    "explain",
    "feature_maps",
    "filters",
    "grad_cam",
    "grad_cam_pp",
    "nearest",
    "occlusion",
    "unit_fields",
    "worst_mistakes",
]
