"""What a network looks at: class activation maps, occlusion, feature maps, filters, receptive
fields, the nearest pictures and the worst mistakes.

What belongs here: functions of a module and a batch that give arrays, and the pictures and pages
that show them. What a network answers belongs to prediction, how good it is to evaluation.
"""
