"""Run in the environment of its own that `reidentify` makes: face descriptors by dlib's ResNet.

Usage: describe_faces.py MODEL CHIPS.npy OUT.npy; chips are N x 150 x 150 x 3 uint8, RGB; out is N x 128.
"""

import sys

import dlib
import numpy as np

model = dlib.face_recognition_model_v1(sys.argv[1])
chips = np.load(sys.argv[2])
np.save(sys.argv[3], np.array([np.array(model.compute_face_descriptor(chip)) for chip in chips]))
