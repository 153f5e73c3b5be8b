// A mask moved and warped by hand onto an image whose view has moved.
