/** Version of Weir: of the command line, of the image that `install` names, and of the engine inside it. */
export const VERSION = '0.1.0';
